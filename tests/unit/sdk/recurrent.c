/* SPDX-License-Identifier: Apache-2.0
 *
 * Recurrent layers: derivatives, devices, PyTorch's values, and the same by single operations. */
#include "device-test.h"
#include "golden-test.h"
#include "gradient-test.h"
#include <math.h>
#include <string.h>

/* Outputs and last states below each other: [t + 1 or 2, n, H]. Each part is one of `f`, so that
 * the tests see all results. */
static AbTensor *joined(AbRecurrence r) {
  if (!r.outputs) return NULL;
  AbContext *ctx = ab_context_of(r.h);
  bool cells = !ab_is_none(r.c);
  int64_t t = ab_dim(r.outputs, 0), n = ab_dim(r.h, 0), H = ab_dim(r.h, 1), all = t + 1 + cells;
  AbTensor *parts[] = {r.outputs, r.h, r.c}, *y = NULL;
  for (int64_t k = 0, at = 0; k < 2 + cells; k++) { /* P' part, P of zeros and ones */
    int64_t rows = k == 0 ? t : 1;
    AbTensor *place = ab_full(ctx, ab_dtype(r.h), AB_SHAPE(all, rows), 0);
    double *wide = ab_map(place, true);
    float *narrow = (float *)wide;
    for (int64_t i = 0; i < rows; i++, at++) {
      if (ab_dtype(place) == AB_F64)
        wide[at * rows + i] = 1;
      else
        narrow[at * rows + i] = 1;
    }
    ab_unmap(place);
    AbTensor *part = ab_matmul(place, ab_reshape(parts[k], AB_SHAPE(rows, n * H)));
    y = y ? ab_add(y, part) : part;
  }
  return ab_reshape(y, AB_SHAPE(all, n, H));
}

#define NO AB_NONE

/* ---- cases: x W U b [d or p] h0 [c0] [lengths] ---------------------------------------------- */

FUNCTION(elman, joined(ab_elman(x[0], x[1], x[2], x[3], x[4], NO, AB_TANH, false)))
FUNCTION(elman_relu, joined(ab_elman(x[0], x[1], x[2], x[3], x[4], NO, AB_RELU, false)))
FUNCTION(elman_reverse, joined(ab_elman(x[0], x[1], x[2], x[3], x[4], NO, AB_TANH, true)))
FUNCTION(elman_bare, joined(ab_elman(x[0], x[1], x[2], NO, NO, NO, AB_TANH, false)))
FUNCTION(lstm, joined(ab_lstm(x[0], x[1], x[2], x[3], NO, x[4], x[5], NO, false)))
FUNCTION(lstm_reverse, joined(ab_lstm(x[0], x[1], x[2], x[3], NO, x[4], x[5], NO, true)))
FUNCTION(lstm_bare, joined(ab_lstm(x[0], x[1], x[2], NO, NO, NO, NO, NO, false)))
FUNCTION(lstm_peepholes, joined(ab_lstm(x[0], x[1], x[2], x[3], x[4], x[5], x[6], NO, false)))
FUNCTION(lstm_peepholes_reverse,
         joined(ab_lstm(x[0], x[1], x[2], x[3], x[4], x[5], x[6], NO, true)))
FUNCTION(lstm_peepholes_bare, joined(ab_lstm(x[0], x[1], x[2], NO, x[3], NO, x[4], NO, false)))
FUNCTION(gru, joined(ab_gru(x[0], x[1], x[2], x[3], x[4], x[5], NO, false)))
FUNCTION(gru_reverse, joined(ab_gru(x[0], x[1], x[2], x[3], x[4], x[5], NO, true)))
FUNCTION(gru_bare, joined(ab_gru(x[0], x[1], x[2], NO, NO, NO, NO, false)))
FUNCTION(gru_b, joined(ab_gru(x[0], x[1], x[2], x[3], NO, NO, NO, false)))
FUNCTION(gru_d, joined(ab_gru(x[0], x[1], x[2], NO, x[3], NO, NO, true)))
FUNCTION(relu_lengths_back, joined(ab_elman(x[0], x[1], x[2], x[3], x[4], x[5], AB_RELU, true)))
FUNCTION(lstm_lengths, joined(ab_lstm(x[0], x[1], x[2], x[3], NO, x[4], x[5], x[6], false)))
FUNCTION(lstm_lengths_back, joined(ab_lstm(x[0], x[1], x[2], x[3], NO, x[4], x[5], x[6], true)))
FUNCTION(gru_lengths, joined(ab_gru(x[0], x[1], x[2], x[3], x[4], x[5], x[6], false)))
FUNCTION(gru_lengths_back, joined(ab_gru(x[0], x[1], x[2], x[3], x[4], x[5], x[6], true)))

static const SdkGoldenCase golden_cases[] = {
    {"elman-tanh", elman_of},
    {"elman-relu-reverse-lengths", relu_lengths_back_of},
    {"lstm", lstm_of},
    {"lstm-reverse", lstm_reverse_of},
    {"lstm-lengths", lstm_lengths_of},
    {"lstm-reverse-lengths", lstm_lengths_back_of},
    {"lstm-peepholes", lstm_peepholes_of},
    {"gru", gru_of},
    {"gru-reverse", gru_reverse_of},
    {"gru-lengths", gru_lengths_of},
    {"gru-reverse-lengths", gru_lengths_back_of},
};

static void test_golden(void) {
  sdk_check_golden("recurrent", golden_cases, G_N_ELEMENTS(golden_cases));
}

/* ---- differences ---------------------------------------------------------------------------- */

#define SEQUENCE        DIMS(3, 2, 4)
#define MATRICES(gates) SEQUENCE, DIMS(4, gates * 3), DIMS(3, gates * 3)
#define STATE           DIMS(2, 3)

static const SdkGradientCase cases[] = {
    {"elman", elman_of, 5, {MATRICES(1), DIMS(3), STATE}, -1, 1, .once = true},
    {"elman-relu", elman_relu_of, 5, {MATRICES(1), DIMS(3), STATE}, -1, 1, .once = true},
    {"elman-reverse", elman_reverse_of, 5, {MATRICES(1), DIMS(3), STATE}, -1, 1, .once = true},
    {"elman-bare", elman_bare_of, 3, {MATRICES(1)}, -1, 1, .once = true},
    {"lstm", lstm_of, 6, {MATRICES(4), DIMS(12), STATE, STATE}, -1, 1, .once = true},
    {"lstm-reverse",
     lstm_reverse_of,
     6,
     {MATRICES(4), DIMS(12), STATE, STATE},
     -1,
     1,
     .once = true},
    {"lstm-bare", lstm_bare_of, 3, {MATRICES(4)}, -1, 1, .once = true},
    {"lstm-peepholes",
     lstm_peepholes_of,
     7,
     {MATRICES(4), DIMS(12), DIMS(3, 3), STATE, STATE},
     -1,
     1,
     .once = true},
    {"lstm-peepholes-reverse",
     lstm_peepholes_reverse_of,
     7,
     {MATRICES(4), DIMS(12), DIMS(3, 3), STATE, STATE},
     -1,
     1,
     .once = true},
    {"lstm-peepholes-bare",
     lstm_peepholes_bare_of,
     5,
     {MATRICES(4), DIMS(3, 3), STATE},
     -1,
     1,
     .once = true},
    {"gru", gru_of, 6, {MATRICES(3), DIMS(9), DIMS(3), STATE}, -1, 1, .once = true},
    {"gru-reverse", gru_reverse_of, 6, {MATRICES(3), DIMS(9), DIMS(3), STATE}, -1, 1, .once = true},
    {"gru-bare", gru_bare_of, 3, {MATRICES(3)}, -1, 1, .once = true},
    {"gru-b", gru_b_of, 4, {MATRICES(3), DIMS(9)}, -1, 1, .once = true},
    {"gru-d", gru_d_of, 4, {MATRICES(3), DIMS(3)}, -1, 1, .once = true},
};

static void test_gradients(const void *device) {
  sdk_check_gradients(device, cases, G_N_ELEMENTS(cases));
}

/* ---- devices -------------------------------------------------------------------------------- */

/* Values of about 1 after sums of 37 products and up to 9 steps that each pass an error on. */
static const SdkDeviceCase device_cases[] = {
    {"elman", elman_of, 5, -0.3, 0.3, 4, 1, 25, 10},
    {"elman-relu", elman_relu_of, 5, -0.3, 0.3, 4, 1, 25, 10},
    {"elman-reverse", elman_reverse_of, 5, -0.3, 0.3, 4, 1, 25, 10},
    {"lstm", lstm_of, 6, -0.3, 0.3, 2, 1, 16, 10},
    {"lstm-reverse", lstm_reverse_of, 6, -0.3, 0.3, 2, 1, 16, 10},
    {"lstm-peepholes", lstm_peepholes_of, 7, -0.3, 0.3, 2, 1, 16, 10},
    {"lstm-peepholes-bare", lstm_peepholes_bare_of, 5, -0.3, 0.3, 2, 1, 16, 10},
    {"gru", gru_of, 6, -0.3, 0.3, 2, 1, 16, 10},
    {"gru-reverse", gru_reverse_of, 6, -0.3, 0.3, 2, 1, 16, 10},
    {"gru-b", gru_b_of, 4, -0.3, 0.3, 2, 1, 16, 10},
    {"gru-d", gru_d_of, 4, -0.3, 0.3, 2, 1, 16, 10},
};

/* The shapes of a case: what each input is follows from how many there are. */
static void shapes_of(const SdkDeviceCase *c, int64_t t, int64_t n, int64_t in, int64_t H,
                      AbShape *s) {
  int64_t gates = c->name[0] == 'l' ? 4 : c->name[0] == 'g' ? 3 : 1;
  bool bare = strstr(c->name, "bare");
  int32_t i = 0;
  s[i++] = AB_SHAPE(t, n, in);
  s[i++] = AB_SHAPE(in, gates * H);
  s[i++] = AB_SHAPE(H, gates * H);
  if (!bare && strcmp(c->name, "gru-d") != 0) s[i++] = AB_SHAPE(gates * H);
  if (strstr(c->name, "peepholes")) s[i++] = AB_SHAPE(3, H);
  if (c->name[0] == 'g' && strcmp(c->name, "gru-b") != 0) s[i++] = AB_SHAPE(H);
  while (i < c->count) s[i++] = AB_SHAPE(n, H);
}

/* Units that are and are not whole vectors, few rows (threads take units) and many (rows). */
static const int64_t sizes[][4] = {{1, 1, 1, 1},   {3, 2, 5, 7},   {9, 5, 3, 37},
                                   {4, 20, 6, 24}, {6, 61, 4, 19}, {2, 100, 9, 40}};

static void test_devices(void) {
  for (size_t i = 0; i < G_N_ELEMENTS(device_cases); i++) {
    for (size_t k = 0; k < G_N_ELEMENTS(sizes); k++) {
      AbShape shapes[SDK_INPUTS];
      shapes_of(&device_cases[i], sizes[k][0], sizes[k][1], sizes[k][2], sizes[k][3], shapes);
      sdk_compare_devices(&device_cases[i], shapes);
    }
  }
}

/* Results and all gradients. */
static const SdkDeviceCase *threads_case;
static const int64_t *threads_size;
static GByteArray *bits_of(void) {
  AbContext *ctx = sdk_context("cpu", AB_F32);
  AbShape shapes[SDK_INPUTS];
  AbTensor *x[SDK_INPUTS];
  GByteArray *bits = g_byte_array_new();
  const int64_t *size = threads_size;
  shapes_of(threads_case, size[0], size[1], size[2], size[3], shapes);
  for (int32_t i = 0; i < threads_case->count; i++) {
    g_autofree double *values = sdk_numbers(ab_shape_count(shapes[i]), -0.3, 0.3, (uint64_t)i + 9);
    x[i] = sdk_tensor(ctx, shapes[i], values);
    ab_require_grad(x[i]);
  }
  AbTensor *y = threads_case->f(x);
  sdk_bits_of(y, bits);
  ab_backward(ab_sum(ab_square(y)));
  for (int32_t i = 0; i < threads_case->count; i++) sdk_bits_of(ab_gradient(x[i]), bits);
  sdk_finish(ctx);
  return bits;
}

static void test_threads(void) {
  static const int64_t large[][4] = {{5, 20, 6, 83}, {4, 201, 5, 37}, {3, 60, 5, 50}};
  for (size_t i = 0; i < G_N_ELEMENTS(device_cases); i++) {
    for (size_t k = 0; k < G_N_ELEMENTS(large); k++) {
      threads_case = &device_cases[i];
      threads_size = large[k];
      sdk_same_bits(threads_case->name, bits_of);
    }
  }
}

/* ---- the same by single operations ---------------------------------------------------------- */

typedef struct {
  AbTensor *x[8]; /* x W U b p|d h0 c0 */
} Weights;

static Weights weights_of(AbContext *ctx, int64_t gates, int64_t extra) {
  const int64_t t = 6, n = 5, in = 4, H = 9;
  const AbShape shapes[] = {AB_SHAPE(t, n, in),
                            AB_SHAPE(in, gates * H),
                            AB_SHAPE(H, gates * H),
                            AB_SHAPE(gates * H),
                            extra == 3 ? AB_SHAPE(3, H) : AB_SHAPE(H),
                            AB_SHAPE(n, H),
                            AB_SHAPE(n, H)};
  Weights w;
  for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
    g_autofree double *values = sdk_numbers(ab_shape_count(shapes[i]), -0.7, 0.7, i + 70);
    w.x[i] = sdk_tensor(ctx, shapes[i], values);
    ab_require_grad(w.x[i]);
  }
  return w;
}

static AbTensor *block(AbTensor *x, int64_t i) {
  return ab_slice(x, 1, i * 9, i * 9 + 9);
}
static AbTensor *step_of(AbTensor *x, int64_t s) {
  return ab_reshape(ab_slice(x, 0, s, s + 1), AB_SHAPE(5, 4));
}

/* sum over all steps of (s + 1) sum h + that of the last state, squared, and of the cells */
static AbTensor *score(AbTensor *sum, AbTensor *h, AbTensor *c) {
  sum = ab_add(sum, ab_sum(ab_square(h)));
  return ab_is_none(c) ? sum : ab_add(sum, ab_sum(ab_square(c)));
}

static AbTensor *fused_score(AbRecurrence r) {
  AbTensor *sum = ab_zeros(ab_context_of(r.h), ab_scalar_shape());
  for (int64_t s = 0; s < 6; s++)
    sum = ab_add(sum, ab_affine(ab_sum(ab_slice(r.outputs, 0, s, s + 1)), (double)s + 1, 0));
  return score(sum, r.h, r.c);
}

static AbTensor *lstm_by_operations(const Weights *w) {
  AbTensor *h = w->x[5], *c = w->x[6], *sum = ab_zeros(ab_context_of(h), ab_scalar_shape());
  AbTensor *const *x = w->x;
  for (int64_t s = 0; s < 6; s++) {
    AbTensor *all = ab_add(ab_linear(step_of(x[0], s), x[1], x[3], AB_IDENTITY),
                           ab_linear(h, x[2], AB_NONE, AB_IDENTITY));
    AbTensor *i = ab_sigmoid(ab_add(block(all, 0), ab_mul(ab_slice(x[4], 0, 0, 1), c)));
    AbTensor *f = ab_sigmoid(ab_add(block(all, 1), ab_mul(ab_slice(x[4], 0, 1, 2), c)));
    c = ab_add(ab_mul(f, c), ab_mul(i, ab_tanh(block(all, 2))));
    AbTensor *o = ab_sigmoid(ab_add(block(all, 3), ab_mul(ab_slice(x[4], 0, 2, 3), c)));
    h = ab_mul(o, ab_tanh(c));
    sum = ab_add(sum, ab_affine(ab_sum(h), (double)s + 1, 0));
  }
  return score(sum, h, c);
}

static AbTensor *gru_by_operations(const Weights *w) {
  AbTensor *h = w->x[5], *sum = ab_zeros(ab_context_of(h), ab_scalar_shape());
  AbTensor *const *x = w->x;
  for (int64_t s = 0; s < 6; s++) {
    AbTensor *all = ab_linear(step_of(x[0], s), x[1], x[3], AB_IDENTITY);
    AbTensor *back = ab_matmul(h, x[2]);
    AbTensor *r = ab_sigmoid(ab_add(block(all, 0), block(back, 0)));
    AbTensor *z = ab_sigmoid(ab_add(block(all, 1), block(back, 1)));
    AbTensor *n = ab_tanh(ab_add(block(all, 2), ab_mul(r, ab_add(block(back, 2), x[4]))));
    h = ab_add(n, ab_mul(z, ab_sub(h, n)));
    sum = ab_add(sum, ab_affine(ab_sum(h), (double)s + 1, 0));
  }
  return score(sum, h, AB_NONE);
}

static AbTensor *elman_by_operations(const Weights *w) {
  AbTensor *h = w->x[5], *sum = ab_zeros(ab_context_of(h), ab_scalar_shape());
  for (int64_t s = 0; s < 6; s++) {
    h = ab_tanh(ab_add(ab_linear(step_of(w->x[0], s), w->x[1], w->x[3], AB_IDENTITY),
                       ab_matmul(h, w->x[2])));
    sum = ab_add(sum, ab_affine(ab_sum(h), (double)s + 1, 0));
  }
  return score(sum, h, AB_NONE);
}

static void compare(const char *device, int64_t gates, int64_t extra, int count,
                    AbTensor *(*fused)(const Weights *), AbTensor *(*plain)(const Weights *)) {
  AbContext *ctx = sdk_context(device, AB_F64);
  Weights a = weights_of(ctx, gates, extra), b = weights_of(ctx, gates, extra);
  AbTensor *y = fused(&a), *z = plain(&b);
  sdk_assert_ok(ctx);
  g_assert_cmpfloat_with_epsilon(ab_item(y), ab_item(z), 1e-11);
  ab_backward(y);
  ab_backward(z);
  for (int i = 0; i < count; i++) {
    if (!ab_gradient(b.x[i])) continue;
    g_autofree double *given = sdk_values(ab_gradient(a.x[i]));
    g_autofree double *wanted = sdk_values(ab_gradient(b.x[i]));
    for (int64_t j = 0; j < ab_count(a.x[i]); j++)
      g_assert_cmpfloat_with_epsilon(given[j], wanted[j], 1e-11);
  }
  sdk_finish(ctx);
}

static AbTensor *fused_lstm(const Weights *w) {
  AbTensor *const *x = w->x;
  return fused_score(ab_lstm(x[0], x[1], x[2], x[3], x[4], x[5], x[6], NO, false));
}
static AbTensor *fused_gru(const Weights *w) {
  AbTensor *const *x = w->x;
  return fused_score(ab_gru(x[0], x[1], x[2], x[3], x[4], x[5], NO, false));
}
static AbTensor *fused_elman(const Weights *w) {
  AbTensor *const *x = w->x;
  return fused_score(ab_elman(x[0], x[1], x[2], x[3], x[5], NO, AB_TANH, false));
}

static void test_composition(const void *device) {
  compare(device, 4, 3, 7, fused_lstm, lstm_by_operations);
  compare(device, 3, 1, 6, fused_gru, gru_by_operations);
  compare(device, 1, 1, 6, fused_elman, elman_by_operations);
}

/* ---- cells, standing gradients, no second derivative ---------------------------------------- */

/* Steps one at a time give what the whole sequence gives. */
static AbTensor *lstm_cells(const Weights *w) {
  AbTensor *const *x = w->x;
  AbRecurrence r = {.h = x[5], .c = x[6]};
  AbTensor *sum = ab_zeros(ab_context_of(x[0]), ab_scalar_shape());
  for (int64_t s = 0; s < 6; s++) {
    r = ab_lstm_cell(step_of(x[0], s), x[1], x[2], x[3], x[4], r.h, r.c);
    g_assert_true(r.outputs == r.h);
    sum = ab_add(sum, ab_affine(ab_sum(r.h), (double)s + 1, 0));
  }
  return score(sum, r.h, r.c);
}
static AbTensor *gru_cells(const Weights *w) {
  AbTensor *const *x = w->x;
  AbRecurrence r = {.h = x[5]};
  AbTensor *sum = ab_zeros(ab_context_of(x[0]), ab_scalar_shape());
  for (int64_t s = 0; s < 6; s++) {
    r = ab_gru_cell(step_of(x[0], s), x[1], x[2], x[3], x[4], r.h);
    sum = ab_add(sum, ab_affine(ab_sum(r.h), (double)s + 1, 0));
  }
  return score(sum, r.h, AB_NONE);
}
static AbTensor *elman_cells(const Weights *w) {
  AbTensor *const *x = w->x;
  AbRecurrence r = {.h = x[5]};
  AbTensor *sum = ab_zeros(ab_context_of(x[0]), ab_scalar_shape());
  for (int64_t s = 0; s < 6; s++) {
    r = ab_elman_cell(step_of(x[0], s), x[1], x[2], x[3], r.h, AB_TANH);
    sum = ab_add(sum, ab_affine(ab_sum(r.h), (double)s + 1, 0));
  }
  return score(sum, r.h, AB_NONE);
}

static void test_cells(const void *device) {
  compare(device, 4, 3, 7, lstm_cells, lstm_by_operations);
  compare(device, 3, 1, 6, gru_cells, gru_by_operations);
  compare(device, 1, 1, 6, elman_cells, elman_by_operations);
}

static void test_once(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F64);
  Weights w = weights_of(ctx, 4, 3);
  AbTensor *gradient;
  ab_gradients(fused_lstm(&w), &w.x[1], 1, &gradient, true);
  sdk_assert_error(ctx, AB_CONFIG, "lstm: its gradient has no derivative", NULL);
  ab_context_free(ctx);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/recurrent/golden", test_golden);
  sdk_add("/recurrent/gradients", test_gradients);
  g_test_add_func("/recurrent/devices", test_devices);
  g_test_add_func("/recurrent/threads", test_threads);
  sdk_add("/recurrent/composition", test_composition);
  sdk_add("/recurrent/cells", test_cells);
  sdk_add("/recurrent/once", test_once);
  return g_test_run();
}
