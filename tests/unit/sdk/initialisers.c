/* SPDX-License-Identifier: Apache-2.0
 *
 * First numbers of weights: sizes by fan, gains, orthogonality, and equality of f32 and f64. */
#include "sdk-test.h"
#include <math.h>

typedef struct {
  AbModel base;
} Net;
static AbInit init;
static AbShape shape;

static void build(AbModel *self, const AbSignature *wanted) {
  (void)wanted;
  ab_weight(self, "w", shape, init, "");
}
static AbTensor *encode(AbModel *self, AbTensor *x) {
  (void)self;
  return x;
}
static const AbModelVtable table = {.struct_size = sizeof table, .build = build, .encode = encode};
static const AbComponent net = {
    sizeof(AbComponent),          AB_KIND_MODEL,   "net", "A weight.", "",
    .instance_size = sizeof(Net), .vtable = &table};

/* NULL where the context has an error. */
static double *numbers_of(AbContext *ctx) {
  AbInstance *self = ab_instance_new(ctx, &net, "model", NULL);
  AbSpec in = {.rank = 1, .dtype = AB_F32, .shape = {3}};
  AbSignature wanted = ab_signature(AB_ROLE_ENCODE, &in, NULL);
  ab_build(self, &wanted);
  double *values = ab_ok(ctx) ? sdk_values(ab_find_weight(self, "w")) : NULL;
  ab_instance_free(self);
  return values;
}

static void assert_spread(const double *x, int64_t n, double deviation, double bound) {
  double sum = 0, squares = 0, largest = 0;
  for (int64_t i = 0; i < n; i++) {
    sum += x[i];
    squares += x[i] * x[i];
    largest = fmax(largest, fabs(x[i]));
  }
  g_assert_cmpfloat(fabs(sum / (double)n), <, 4 * deviation / sqrt((double)n));
  g_assert_cmpfloat(fabs(sqrt(squares / (double)n) / deviation - 1), <, 0.03);
  if (bound > 0) g_assert_cmpfloat(largest, <=, bound);
}

static void test_spread(const void *device) {
  const AbShape matrix = AB_SHAPE(150, 100), filters = AB_SHAPE(30, 20, 3, 5);
  const double r3 = sqrt(3);
  const struct {
    AbInitKind kind;
    const AbShape *shape;
    double deviation, bound;
  } rows[] = {
      {AB_INIT_UNIFORM, &matrix, 2 / r3, 2},
      {AB_INIT_NORMAL, &matrix, 2, 0},
      {AB_INIT_XAVIER_UNIFORM, &matrix, 2 * sqrt(2.0 / 250), 2 * sqrt(6.0 / 250)},
      {AB_INIT_XAVIER_NORMAL, &filters, 2 * sqrt(2.0 / 750), 0},
      {AB_INIT_KAIMING_UNIFORM, &filters, 2 / sqrt(300), 2 * r3 / sqrt(300)},
      {AB_INIT_KAIMING_NORMAL, &matrix, 2 / sqrt(150), 0},
      {AB_INIT_KAIMING_UNIFORM_OUT, &matrix, 2 / sqrt(100), 2 * r3 / sqrt(100)},
      {AB_INIT_KAIMING_NORMAL_OUT, &filters, 2 / sqrt(450), 0},
      {AB_INIT_LECUN_UNIFORM, &matrix, 2 / sqrt(150), 2 * r3 / sqrt(150)},
      {AB_INIT_LECUN_NORMAL, &filters, 2 / sqrt(300), 0},
      {AB_INIT_TRUNCATED_NORMAL, &matrix, 2 * 0.87962566, 4},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
    AbContext *ctx = sdk_context(device, AB_F32);
    init = (AbInit){.kind = rows[i].kind, .a = 2};
    shape = *rows[i].shape;
    g_autofree double *x = numbers_of(ctx);
    assert_spread(x, ab_shape_count(shape), rows[i].deviation, rows[i].bound);
    sdk_finish(ctx);
  }
}

/* f32 holds the rounded numbers of f64, on every device; also past a piece of 65536 numbers. */
static void test_types(void) {
  shape = AB_SHAPE(300, 257);
  for (AbInitKind kind = AB_INIT_CONSTANT; kind <= AB_INIT_TRUNCATED_NORMAL; kind++) {
    if (kind == AB_INIT_ORTHOGONAL) shape = AB_SHAPE(40, 30);
    init = (AbInit){.kind = kind, .a = 0.7};
    AbContext *exact = sdk_context("reference", AB_F64);
    g_autofree double *wanted = numbers_of(exact);
    sdk_finish(exact);
    for (const char *const *name = ab_device_names(); *name; name++) {
      AbContext *ctx = sdk_context(*name, AB_F32);
      g_autofree double *given = numbers_of(ctx);
      for (int64_t i = 0; i < ab_shape_count(shape); i++)
        g_assert_cmpfloat(given[i], ==, (double)(float)wanted[i]);
      sdk_finish(ctx);
    }
  }
}

/* Rows or columns, whichever are fewer, of length a and at right angles. */
static void test_orthogonal(const void *device) {
  const AbShape shapes[] = {AB_SHAPE(7, 4), AB_SHAPE(4, 7), AB_SHAPE(5, 5), AB_SHAPE(6, 2, 3, 2),
                            AB_SHAPE(1, 9), AB_SHAPE(9, 1), AB_SHAPE(0, 3)};
  for (size_t k = 0; k < G_N_ELEMENTS(shapes); k++) {
    AbContext *ctx = sdk_context(device, AB_F64);
    init = (AbInit){.kind = AB_INIT_ORTHOGONAL, .a = 3};
    shape = shapes[k];
    g_autofree double *w = numbers_of(ctx);
    int64_t n = shape.dims[0], m = n > 0 ? ab_shape_count(shape) / n : 0, few = n < m ? n : m;
    for (int64_t i = 0; i < few; i++) {
      for (int64_t j = 0; j < few; j++) {
        double dot = 0;
        for (int64_t l = 0; l < (n < m ? m : n); l++)
          dot += n < m ? w[i * m + l] * w[j * m + l] : w[l * m + i] * w[l * m + j];
        g_assert_cmpfloat_with_epsilon(dot, i == j ? 9 : 0, 1e-12);
      }
    }
    sdk_finish(ctx);
  }
  AbContext *ctx = sdk_context(device, AB_F32);
  shape = AB_SHAPE(3);
  g_assert_null(numbers_of(ctx));
  sdk_assert_error(ctx, AB_INTERNAL, "initialisation 12", "two axes", NULL);
  init.kind = 99;
  g_assert_null(numbers_of(ctx));
  sdk_assert_error(ctx, AB_INTERNAL, "initialisation 99", NULL);
  sdk_finish(ctx);
}

/* Uniform over rotations: the sign of a diagonal element is no constant, its mean square is 1/n. */
static void test_signs(void) {
  double sum = 0, squares = 0;
  init = (AbInit){.kind = AB_INIT_ORTHOGONAL, .a = 1};
  shape = AB_SHAPE(4, 4);
  for (uint64_t seed = 0; seed < 400; seed++) {
    AbContext *ctx = ab_context_new("cpu", AB_F64, seed);
    g_autofree double *w = numbers_of(ctx);
    sum += w[0] / 400;
    squares += w[0] * w[0] / 400;
    sdk_finish(ctx);
  }
  g_assert_cmpfloat(fabs(sum), <, 4 * 0.5 / 20);
  g_assert_cmpfloat(fabs(squares - 0.25), <, 4 * 0.22 / 20);
}

static void test_gains(void) {
  g_assert_cmpfloat(ab_gain(AB_SIGMOID), ==, 1);
  g_assert_cmpfloat(ab_gain(AB_TANH), ==, 5.0 / 3);
  g_assert_cmpfloat(ab_gain(AB_RELU), ==, sqrt(2));
  g_assert_cmpfloat(ab_gain(AB_LEAKY_RELU), ==, sqrt(2 / 1.0001));
  g_assert_cmpfloat(ab_gain(AB_SELU), ==, 0.75);
  g_assert_cmpfloat(ab_gain(-1), ==, 1);
  g_assert_cmpint(ab_init_for(AB_RELU).kind, ==, AB_INIT_KAIMING_NORMAL);
  g_assert_cmpint(ab_init_for(AB_TANH).kind, ==, AB_INIT_XAVIER_UNIFORM);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  sdk_add("/initialisers/spread", test_spread);
  g_test_add_func("/initialisers/types", test_types);
  sdk_add("/initialisers/orthogonal", test_orthogonal);
  g_test_add_func("/initialisers/signs", test_signs);
  g_test_add_func("/initialisers/gains", test_gains);
  return g_test_run();
}
