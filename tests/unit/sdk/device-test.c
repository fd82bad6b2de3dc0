/* SPDX-License-Identifier: Apache-2.0
 *
 * f32 on the cpu against f64 on the reference device, and the same bits on any number of threads.
 */
#include "device-test.h"
#include <math.h>
#include <omp.h>
#include <string.h>

#define ULP 0x1p-23

/* ---- comparing ------------------------------------------------------------------------------- */

typedef struct {
  AbContext *ctx;
  AbTensor *leaves[SDK_INPUTS], *y;
} Side;

/* Inputs that f32 holds exactly. */
static void prepare(Side *side, const char *device, AbDtype real, const SdkDeviceCase *c,
                    const AbShape *shapes) {
  side->ctx = sdk_context(device, real);
  for (int32_t i = 0; i < c->count; i++) {
    int64_t n = ab_shape_count(shapes[i]);
    g_autofree double *values = sdk_numbers(n, c->low, c->high, (uint64_t)i + 17);
    for (int64_t j = 0; j < n; j++) {
      if (c->unit >> i & 1) values[j] = (values[j] - c->low) / (c->high - c->low);
      values[j] = (double)(float)values[j];
    }
    side->leaves[i] = sdk_tensor(side->ctx, shapes[i], values);
    ab_require_grad(side->leaves[i]);
  }
  side->y = c->f(side->leaves);
  sdk_assert_ok(side->ctx);
  if (!ab_requires_grad(side->y)) return;
  int64_t n = ab_count(side->y);
  g_autofree double *weights = sdk_numbers(n, 0.5, 1.5, 55);
  for (int64_t i = 0; i < n; i++) weights[i] = (double)(float)weights[i];
  AbTensor *w = sdk_tensor(side->ctx, ab_shape(side->y), weights);
  ab_backward(ab_sum(ab_mul(side->y, w)));
  sdk_assert_ok(side->ctx);
}

double sdk_worst_error(AbTensor *given, AbTensor *exact, double least) {
  g_assert_cmpint(ab_count(given), ==, ab_count(exact));
  g_autofree double *a = sdk_values(given), *b = sdk_values(exact);
  double worst = 0;
  for (int64_t i = 0; i < ab_count(exact); i++) {
    double scale = ULP * fmax(fabs(b[i]), least);
    if (a[i] == b[i]) continue;
    double error = fabs(a[i] - b[i]) / scale;
    worst = error <= worst ? worst : error;
  }
  return worst;
}

static void assert_within(const SdkDeviceCase *c, const AbShape *shapes, const char *what,
                          double error, double bound) {
  char text[200];
  ab_shape_text(shapes[0], text, sizeof text);
  g_test_message("%s %s %s: %.3g of %.3g", c->name, text, what, error, bound);
  if (!(error <= bound * 1.0001))
    g_error("%s of %s, %s: an error of %.3g, not within %.3g", c->name, text, what, error, bound);
}

void sdk_compare_results(const SdkDeviceCase *c, const AbShape *shapes) {
  Side cpu, exact;
  prepare(&cpu, "cpu", AB_F32, c, shapes);
  prepare(&exact, "reference", AB_F64, c, shapes);
  double error = sdk_worst_error(cpu.y, exact.y, c->forward_floor);
  assert_within(c, shapes, "forward", error, c->forward);
  sdk_finish(cpu.ctx);
  sdk_finish(exact.ctx);
}

void sdk_compare_devices(const SdkDeviceCase *c, const AbShape *shapes) {
  Side cpu, exact;
  prepare(&cpu, "cpu", AB_F32, c, shapes);
  prepare(&exact, "reference", AB_F64, c, shapes);
  assert_within(c, shapes, "forward", sdk_worst_error(cpu.y, exact.y, c->forward_floor),
                c->forward);
  for (int32_t i = 0; i < c->count && ab_requires_grad(exact.y); i++) {
    AbTensor *g = ab_gradient(cpu.leaves[i]), *wanted = ab_gradient(exact.leaves[i]);
    assert_within(c, shapes, "backward", sdk_worst_error(g, wanted, c->backward_floor),
                  c->backward);
  }
  sdk_finish(cpu.ctx);
  sdk_finish(exact.ctx);
}

/* ---- threads --------------------------------------------------------------------------------- */

GByteArray *sdk_bits_of(AbTensor *x, GByteArray *bits) {
  AbTensor *dense = ab_cast(ab_detach(x), ab_dtype(x));
  size_t size = (size_t)ab_count(x) * ab_dtype_size(ab_dtype(x));
  return g_byte_array_append(bits, ab_map(dense, false), (guint)size);
}

static GByteArray *bits_of_case(const SdkDeviceCase *c, const AbShape *shapes) {
  Side side;
  GByteArray *bits = g_byte_array_new();
  prepare(&side, "cpu", AB_F32, c, shapes);
  sdk_bits_of(side.y, bits);
  for (int32_t i = 0; i < c->count; i++)
    if (ab_gradient(side.leaves[i])) sdk_bits_of(ab_gradient(side.leaves[i]), bits);
  sdk_finish(side.ctx);
  return bits;
}

static void assert_same(const char *name, GByteArray **of, int count) {
  for (int i = 0; i < count; i++) {
    if (of[i]->len != of[0]->len || memcmp(of[i]->data, of[0]->data, of[0]->len) != 0)
      g_error("%s: other bits on another number of threads", name);
    if (i > 0) g_byte_array_unref(of[i]);
  }
  g_byte_array_unref(of[0]);
}

#ifdef __SANITIZE_THREAD__ /* does not understand the barriers of libgomp */
static const int thread_counts[] = {1};
#else
static const int thread_counts[] = {1, 2, 3, 7};
#endif
#define COUNTS ((int)G_N_ELEMENTS(thread_counts))

void sdk_same_bits(const char *name, GByteArray *(*bits_of)(void)) {
  GByteArray *bits[COUNTS];
  int before = omp_get_max_threads();
  for (int k = 0; k < COUNTS; k++) {
    omp_set_num_threads(thread_counts[k]);
    bits[k] = bits_of();
  }
  omp_set_num_threads(before);
  assert_same(name, bits, COUNTS);
}

void sdk_check_threads(const SdkDeviceCase *cases, size_t count, const AbShape *shapes) {
  int before = omp_get_max_threads();
  for (size_t i = 0; i < count; i++) {
    GByteArray *bits[COUNTS];
    for (int k = 0; k < COUNTS; k++) {
      omp_set_num_threads(thread_counts[k]);
      bits[k] = bits_of_case(&cases[i], shapes);
    }
    assert_same(cases[i].name, bits, COUNTS);
  }
  omp_set_num_threads(before);
}
