/* SPDX-License-Identifier: Apache-2.0
 *
 * Random numbers: known answers, distributions, and which numbers belong to whom. All seeds are
 * fixed, so a statistic is inside its bound (that of one chance in a thousand) once and for all. */
#include "device/philox.h"
#include "sdk-test.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MANY 250000

/* ---- the generator --------------------------------------------------------------------------- */

/* kat_vectors of Random123 (Salmon et al.) for philox4x32-10: counter, key, result. */
static void test_known_answers(void) {
  static const uint32_t rows[][10] = {
      {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
      {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d,
       0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
      {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09,
       0x94fdcceb, 0x5001e420, 0x24126ea1},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
    const uint32_t *r = rows[i];
    uint32_t out[4];
    philox((uint64_t)r[5] << 32 | r[4], r[0], r[1], r[2], r[3], out);
    g_assert_cmpmem(out, sizeof out, r + 6, sizeof out);
  }
}

static int compare_words(const void *a, const void *b) {
  return memcmp(a, b, 4 * sizeof(uint32_t));
}

/* Every (step, call, block) has a counter of its own, up to the widths that are promised. */
static void test_blocks(void) {
  static const uint64_t values[] = {
      0, 1, 2, 0xffffffff, UINT64_C(1) << 32, (UINT64_C(1) << 48) - 1};
  uint32_t all[6 * 6 * 4][4];
  int count = 0;
  for (int i = 0; i < 6; i++)
    for (int j = 0; j < 6; j++)
      for (int k = 0; k < 4; k++)
        philox_block(7, values[i], (uint32_t)values[k], values[j], all[count++]);
  qsort(all, (size_t)count, sizeof *all, compare_words);
  for (int i = 1; i < count; i++) g_assert_cmpint(compare_words(all[i - 1], all[i]), !=, 0);
  g_assert_cmpfloat(unit_f32(0xffffffff), <, 1);
  g_assert_cmpfloat(unit_f64(0xffffffff, 0xffffffff), <, 1);
  g_assert_cmpfloat(unit_f32(0xff), ==, 0);
}

/* ---- a component that draws ------------------------------------------------------------------ */

typedef enum { UNIFORM, NORMAL, BERNOULLI } Kind;
typedef struct {
  AbNoise base;
  Kind kind;
  AbShape shape;
  double a, b;
  AbTensor *drawn;
} Drawer;

static AbTensor *draw_corrupt(AbNoise *self, AbTensor *x) {
  Drawer *d = (Drawer *)self;
  AbContext *ctx = ab_context(self);
  switch (d->kind) {
  case UNIFORM: d->drawn = ab_uniform(ctx, d->shape, d->a, d->b); break;
  case NORMAL: d->drawn = ab_normal(ctx, d->shape, d->a, d->b); break;
  case BERNOULLI: d->drawn = ab_bernoulli(ab_full(ctx, ab_real_dtype(ctx), d->shape, d->a)); break;
  }
  return x;
}
static const AbNoiseVtable draw_table = {.struct_size = sizeof draw_table, .corrupt = draw_corrupt};
static const AbComponent draw_component = {
    sizeof(AbComponent),  AB_KIND_NOISE, "drawer", "Draws.", "", .instance_size = sizeof(Drawer),
    .vtable = &draw_table};

static Drawer *drawer(AbContext *ctx, const char *path) {
  return (Drawer *)ab_instance_new(ctx, &draw_component, path, NULL);
}

/* `count` numbers of the next call of d; to be freed with g_free. */
static double *draw(Drawer *d, Kind kind, int64_t count, double a, double b) {
  AbContext *ctx = ab_context(&d->base);
  AbScope scope = ab_scope_begin(ctx);
  d->kind = kind;
  d->shape = AB_SHAPE(count);
  d->a = a;
  d->b = b;
  ab_noise_corrupt(&d->base, ab_zeros(ctx, AB_SHAPE(1)));
  sdk_assert_ok(ctx);
  double *values = sdk_values(d->drawn);
  ab_scope_end(ctx, scope, NULL, 0);
  return values;
}

static void finish(AbContext *ctx, Drawer *d) {
  ab_instance_free(&d->base);
  sdk_finish(ctx);
}

/* ---- distributions --------------------------------------------------------------------------- */

static int compare_numbers(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double uniform_cdf(double x) {
  return x < 0 ? 0 : x > 1 ? 1 : x;
}
static double normal_cdf(double x) {
  return 0.5 * erfc(-x * M_SQRT1_2);
}

/* Kolmogorov and Smirnov: sqrt(n) D is above 1.95 once in a thousand. */
static void assert_distribution(const double *values, int n, double (*cdf)(double x)) {
  g_autofree double *sorted = g_memdup2(values, (gsize)n * sizeof *values);
  qsort(sorted, (size_t)n, sizeof *sorted, compare_numbers);
  double d = 0;
  for (int i = 0; i < n; i++) {
    double p = cdf(sorted[i]);
    d = fmax(d, fmax(p - (double)i / n, (double)(i + 1) / n - p));
  }
  g_test_message("sqrt(n) D = %.3f", sqrt(n) * d);
  g_assert_cmpfloat(sqrt(n) * d, <, 1.95);
}

/* Pearson: (X2 - k) / sqrt(2 k) is about normal for many cells. */
static void assert_even(const int64_t *cells, int count, int64_t n) {
  double expected = (double)n / count, x2 = 0;
  for (int i = 0; i < count; i++)
    x2 += ((double)cells[i] - expected) * ((double)cells[i] - expected) / expected;
  double z = (x2 - (count - 1)) / sqrt(2.0 * (count - 1));
  g_test_message("chi-square of %d cells: %.2f deviations", count, z);
  g_assert_cmpfloat(fabs(z), <, count> 100 ? 3.3 : 6);
}

/* The mean of the k-th powers, in deviations of that mean, given that of the 2k-th. */
static void assert_moment(const double *x, int n, int k, double mean, double second) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += pow(x[i], k);
  double z = (sum / n - mean) / sqrt((second - mean * mean) / n);
  g_test_message("moment %d: %.2f deviations", k, z);
  g_assert_cmpfloat(fabs(z), <, 3.3);
}

static void assert_uncorrelated(const double *x, const double *y, int n, double mean, double var) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += (x[i] - mean) * (y[i] - mean);
  g_assert_cmpfloat(fabs(sum / (var * sqrt(n))), <, 3.9);
}

static void check_uniform(const char *device, AbDtype real) {
  AbContext *ctx = sdk_context(device, real);
  Drawer *d = drawer(ctx, "noise");
  ab_begin(ctx, AB_PURPOSE_TRAIN, 0);
  g_autofree double *x = draw(d, UNIFORM, MANY, 0, 1);
  int64_t cells[256] = {0}, low[256] = {0}, pairs[1024] = {0};
  for (int i = 0; i < MANY; i++) {
    g_assert_true(x[i] >= 0 && x[i] < 1);
    cells[(int)(x[i] * 256)]++;
    low[(int64_t)(x[i] * 0x1p24) & 255]++;
    if (i % 2) pairs[(int)(x[i - 1] * 32) * 32 + (int)(x[i] * 32)]++;
  }
  assert_even(cells, 256, MANY);
  assert_even(low, 256, MANY);
  assert_even(pairs, 1024, MANY / 2);
  assert_distribution(x, MANY, uniform_cdf);
  for (int k = 1; k <= 3; k++) assert_moment(x, MANY, k, 1.0 / (k + 1), 1.0 / (2 * k + 1));
  for (int lag = 1; lag <= 8; lag++) assert_uncorrelated(x, x + lag, MANY - 8, 0.5, 1.0 / 12);
  /* other bounds */
  g_autofree double *y = draw(d, UNIFORM, 10000, -3, 5);
  for (int i = 0; i < 10000; i++) {
    g_assert_true(y[i] >= -3 && y[i] <= 5);
    y[i] = (y[i] + 3) / 8;
  }
  assert_distribution(y, 10000, uniform_cdf);
  finish(ctx, d);
}

static void test_uniform(const void *device) {
  check_uniform(device, AB_F32);
  check_uniform(device, AB_F64);
}

static void check_normal(const char *device, AbDtype real) {
  AbContext *ctx = sdk_context(device, real);
  Drawer *d = drawer(ctx, "noise");
  ab_begin(ctx, AB_PURPOSE_TRAIN, 0);
  g_autofree double *x = draw(d, NORMAL, MANY, 0, 1);
  for (int i = 0; i < MANY; i++) g_assert_true(isfinite(x[i]));
  assert_distribution(x, MANY, normal_cdf);
  const double moments[] = {1, 0, 1, 0, 3, 0, 15, 0, 105};
  for (int k = 1; k <= 4; k++) assert_moment(x, MANY, k, moments[k], moments[2 * k]);
  for (int lag = 1; lag <= 8; lag++) assert_uncorrelated(x, x + lag, MANY - 8, 0, 1);
  g_autofree double *y = draw(d, NORMAL, 10000, -3, 5);
  for (int i = 0; i < 10000; i++) y[i] = (y[i] + 3) / 5;
  assert_distribution(y, 10000, normal_cdf);
  finish(ctx, d);
}

static void test_normal(const void *device) {
  check_normal(device, AB_F32);
  check_normal(device, AB_F64);
}

static void check_bernoulli(const char *device, AbDtype real) {
  AbContext *ctx = sdk_context(device, real);
  Drawer *d = drawer(ctx, "noise");
  ab_begin(ctx, AB_PURPOSE_TRAIN, 0);
  const double ps[] = {0, 0.001, 0.3, 0.5, 0.9, 1};
  for (size_t k = 0; k < G_N_ELEMENTS(ps); k++) {
    g_autofree double *x = draw(d, BERNOULLI, 200000, ps[k], 0);
    double sum = 0;
    for (int i = 0; i < 200000; i++) {
      g_assert_true(x[i] == 0 || x[i] == 1);
      sum += x[i];
    }
    g_assert_cmpfloat(fabs(sum - 200000 * ps[k]), <=, 3.3 * sqrt(200000 * ps[k] * (1 - ps[k])));
  }
  /* element by element, of a view, in the type of p, without a gradient, recording left on */
  double grid[8] = {0, 0, 0, 0, 1, 1, 1, 1};
  AbTensor *p = sdk_tensor_of(ctx, AB_F64, AB_SHAPE(2, 4), grid);
  ab_require_grad(p);
  AbTensor *b = ab_bernoulli(ab_transpose(p, 0, 1));
  g_assert_cmpint(ab_dtype(b), ==, AB_F64);
  g_assert_false(ab_requires_grad(b));
  g_autofree double *values = sdk_values(b);
  for (int i = 0; i < 8; i++) g_assert_cmpfloat(values[i], ==, i % 2);
  g_assert_true(ab_set_recording(ctx, true));
  g_assert_null(ab_bernoulli(NULL));
  g_assert_null(ab_bernoulli(ab_full(ctx, AB_I64, AB_SHAPE(2), 1)));
  sdk_assert_error(ctx, AB_CONFIG, "bernoulli", "i64 [2]", NULL);
  g_assert_null(ab_uniform(ctx, AB_SHAPE(-2), 0, 1));
  sdk_assert_error(ctx, AB_CONFIG, "[-2]", NULL);
  g_assert_cmpint(ab_count(ab_normal(ctx, AB_SHAPE(3, 0), 0, 1)), ==, 0);
  g_assert_cmpint(ab_rank(ab_normal(ctx, ab_scalar_shape(), 0, 1)), ==, 0);
  finish(ctx, d);
}

static void test_bernoulli(const void *device) {
  check_bernoulli(device, AB_F32);
  check_bernoulli(device, AB_F64);
}

/* ---- the same numbers on all devices --------------------------------------------------------- */

static void test_devices(void) {
  const AbDtype reals[] = {AB_F32, AB_F64};
  for (int r = 0; r < 2; r++) {
    AbContext *cpu = sdk_context("cpu", reals[r]), *plain = sdk_context("reference", reals[r]);
    Drawer *a = drawer(cpu, "noise"), *b = drawer(plain, "noise");
    const double bounds[][2] = {{0, 1}, {-0.3, 0.7}, {1e-3, 5}, {-100, 1e6}, {0.1, 0.1}};
    for (size_t k = 0; k < G_N_ELEMENTS(bounds); k++) {
      g_autofree double *x = draw(a, UNIFORM, 100003, bounds[k][0], bounds[k][1]);
      g_autofree double *y = draw(b, UNIFORM, 100003, bounds[k][0], bounds[k][1]);
      g_assert_cmpmem(x, 100003 * sizeof *x, y, 100003 * sizeof *y);
    }
    g_autofree double *p = draw(a, BERNOULLI, 100003, 0.3, 0);
    g_autofree double *q = draw(b, BERNOULLI, 100003, 0.3, 0);
    g_assert_cmpmem(p, 100003 * sizeof *p, q, 100003 * sizeof *q);
    g_autofree double *x = draw(a, NORMAL, MANY, 0, 1), *y = draw(b, NORMAL, MANY, 0, 1);
    double worst = 0;
    for (int i = 0; i < MANY; i++) worst = fmax(worst, fabs(x[i] - y[i]));
    g_test_message("normal numbers of %s differ by %.3g", ab_dtype_name(reals[r]), worst);
    g_assert_cmpfloat(worst, <=, r == 0 ? 1e-6 : 0);
    finish(cpu, a);
    finish(plain, b);
  }
}

/* Any length draws the beginning of the same numbers. */
static void check_tails(const char *device, AbDtype real) {
  AbContext *ctx = sdk_context(device, real);
  Drawer *d = drawer(ctx, "noise");
  for (Kind kind = UNIFORM; kind <= BERNOULLI; kind++) {
    ab_begin(ctx, AB_PURPOSE_TRAIN, 9);
    g_autofree double *all = draw(d, kind, 1000, 0.5, 1);
    for (int n = 1; n <= 100; n++) {
      ab_begin(ctx, AB_PURPOSE_TRAIN, 9);
      g_autofree double *some = draw(d, kind, n, 0.5, 1);
      g_assert_cmpmem(some, (size_t)n * sizeof *some, all, (size_t)n * sizeof *all);
    }
  }
  finish(ctx, d);
}

static void test_tails(const void *device) {
  check_tails(device, AB_F32);
  check_tails(device, AB_F64);
}

/* ---- whose numbers --------------------------------------------------------------------------- */

/* By an implementation of Philox, FNV-1a and SplitMix64 in another language: seed 1, path "noise",
 * training, step 5, the first two calls. Checkpoints of today must draw the same tomorrow. */
static void test_pinned(const void *device) {
  static const double wanted[2][8] = {
      {0.4790046811103821, 0.742919385433197, 0.5711449384689331, 0.9336395859718323,
       0.13341450691223145, 0.050565898418426514, 0.2844277024269104, 0.28000760078430176},
      {0.9907018542289734, 0.8345180749893188, 0.5039863586425781, 0.656531572341919,
       0.5137428641319275, 0.37328463792800903, 0.21994692087173462, 0.42734968662261963}};
  AbContext *ctx = sdk_context(device, AB_F32);
  Drawer *d = drawer(ctx, "noise");
  ab_begin(ctx, AB_PURPOSE_TRAIN, 5);
  for (int call = 0; call < 2; call++) {
    g_autofree double *x = draw(d, UNIFORM, 8, 0, 1);
    g_assert_cmpmem(x, sizeof wanted[call], wanted[call], sizeof wanted[call]);
  }
  finish(ctx, d);
  AbStream stream = ab_stream(1, "data/order");
  const double first[] = {0.5461563923116434, 0.09070949478961021, 0.7140882551006347};
  for (int i = 0; i < 3; i++) g_assert_cmpfloat(ab_stream_uniform(&stream), ==, first[i]);
}

static void test_whose(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32), *other = ab_context_new(device, AB_F32, 2);
  Drawer *d[4] = {drawer(ctx, "noise"), drawer(ctx, "noisf"), drawer(ctx, "model/noise"),
                  drawer(other, "noise")};
  /* different: seed, path, purpose, step, call */
  double *all[12];
  int count = 0;
  ab_begin(ctx, AB_PURPOSE_TRAIN, 3);
  ab_begin(other, AB_PURPOSE_TRAIN, 3);
  for (int i = 0; i < 4; i++) all[count++] = draw(d[i], UNIFORM, 1000, 0, 1);
  for (int i = 0; i < 2; i++) all[count++] = draw(d[0], UNIFORM, 1000, 0, 1);
  const AbPurpose purposes[] = {AB_PURPOSE_EVALUATE, AB_PURPOSE_NOISE, AB_PURPOSE_INIT};
  for (int i = 0; i < 3; i++) {
    ab_begin(ctx, purposes[i], 3);
    all[count++] = draw(d[0], UNIFORM, 1000, 0, 1);
  }
  const int64_t steps[] = {2, 4, INT64_C(1) << 33};
  for (int i = 0; i < 3; i++) {
    ab_begin(ctx, AB_PURPOSE_TRAIN, steps[i]);
    all[count++] = draw(d[0], UNIFORM, 1000, 0, 1);
  }
  for (int i = 0; i < count; i++) {
    for (int j = 0; j < i; j++) {
      int equal = 0;
      for (int k = 0; k < 1000; k++) equal += all[i][k] == all[j][k];
      g_assert_cmpint(equal, <, 3);
      assert_uncorrelated(all[i], all[j], 1000, 0.5, 1.0 / 12);
    }
  }
  for (int i = 0; i < count; i++) g_free(all[i]);
  for (int i = 0; i < 3; i++) ab_instance_free(&d[i]->base);
  finish(other, d[3]);
  sdk_finish(ctx);
}

/* Draws of a step of training: three calls, of which one is of another length. */
static void train(AbContext *ctx, Drawer *d, int64_t step, double *to) {
  ab_begin(ctx, AB_PURPOSE_TRAIN, step);
  g_autofree double *a = draw(d, NORMAL, 5, 0, 1), *b = draw(d, BERNOULLI, 2, 0.5, 1);
  g_autofree double *c = draw(d, UNIFORM, 3, 0, 1);
  memcpy(to, a, 5 * sizeof *to);
  memcpy(to + 5, b, 2 * sizeof *to);
  memcpy(to + 7, c, 3 * sizeof *to);
}

/* Evaluation in between, other components, more tensors, and a start at step 4 change nothing. */
static void test_resume(const void *device) {
  double wanted[8][10], given[10];
  AbContext *ctx = sdk_context(device, AB_F32);
  Drawer *d = drawer(ctx, "model/noise");
  for (int64_t step = 0; step < 8; step++) train(ctx, d, step, wanted[step]);
  finish(ctx, d);

  ctx = sdk_context(device, AB_F32);
  d = drawer(ctx, "model/noise");
  Drawer *neighbour = drawer(ctx, "model/other");
  for (int64_t step = 0; step < 8; step++) {
    ab_begin(ctx, AB_PURPOSE_EVALUATE, step / 2);
    g_free(draw(d, NORMAL, 100, 0, 1));
    ab_zeros(ctx, AB_SHAPE(3));
    ab_begin(ctx, AB_PURPOSE_TRAIN, step);
    g_free(draw(neighbour, NORMAL, 100, 0, 1));
    train(ctx, d, step, given);
    g_assert_cmpmem(given, sizeof given, wanted[step], sizeof given);
  }
  ab_instance_free(&neighbour->base);
  finish(ctx, d);

  ctx = sdk_context(device, AB_F32);
  d = drawer(ctx, "model/noise");
  for (int64_t step = 4; step < 8; step++) {
    train(ctx, d, step, given);
    g_assert_cmpmem(given, sizeof given, wanted[step], sizeof given);
  }
  finish(ctx, d);
}

/* An evaluation of one batch draws the same each time: its step is always 0. */
static void test_begun_again(const void *device) {
  AbContext *ctx = sdk_context(device, AB_F32);
  Drawer *d = drawer(ctx, "model");
  ab_begin(ctx, AB_PURPOSE_EVALUATE, 0);
  g_autofree double *first = draw(d, NORMAL, 10, 0, 1), *second = draw(d, NORMAL, 10, 0, 1);
  g_assert_cmpfloat(first[0], !=, second[0]);
  ab_begin(ctx, AB_PURPOSE_TRAIN, 1);
  g_free(draw(d, NORMAL, 10, 0, 1));
  ab_begin(ctx, AB_PURPOSE_EVALUATE, 0);
  g_autofree double *again = draw(d, NORMAL, 10, 0, 1);
  g_assert_cmpmem(again, 10 * sizeof *again, first, 10 * sizeof *first);
  finish(ctx, d);
}

/* ---- plain streams --------------------------------------------------------------------------- */

static void test_stream_numbers(void) {
  AbStream stream = ab_stream(3, "numbers");
  g_autofree double *x = g_new(double, MANY);
  for (int i = 0; i < MANY; i++) x[i] = ab_stream_uniform(&stream);
  g_assert_cmpint((int64_t)stream.position, ==, MANY);
  assert_distribution(x, MANY, uniform_cdf);
  for (int lag = 1; lag <= 4; lag++) assert_uncorrelated(x, x + lag, MANY - 8, 0.5, 1.0 / 12);
  for (int i = 0; i < MANY; i++) x[i] = ab_stream_normal(&stream);
  assert_distribution(x, MANY, normal_cdf);
  const double moments[] = {1, 0, 1, 0, 3, 0, 15, 0, 105};
  for (int k = 1; k <= 4; k++) assert_moment(x, MANY, k, moments[k], moments[2 * k]);
  /* a stream is its key and position */
  AbStream copy = stream;
  g_assert_cmpfloat(ab_stream_uniform(&copy), ==, ab_stream_uniform(&stream));
}

static void test_below(void) {
  AbStream stream = ab_stream(3, "below");
  const int64_t bounds[] = {2, 3, 10, 128, 1000};
  for (size_t k = 0; k < G_N_ELEMENTS(bounds); k++) {
    int64_t cells[1000] = {0};
    for (int i = 0; i < 200000; i++) {
      int64_t value = ab_stream_below(&stream, bounds[k]);
      g_assert_true(value >= 0 && value < bounds[k]);
      cells[value]++;
    }
    assert_even(cells, (int)bounds[k], 200000);
  }
  for (int i = 0; i < 100; i++) g_assert_cmpint(ab_stream_below(&stream, 1), ==, 0);
  /* 2^64 is 8/3 of this bound: a remainder would prefer the lower half, a product that rejects
   * nothing two of three neighbours */
  int64_t bound = (INT64_C(1) << 62) + (INT64_C(1) << 61), halves[2] = {0}, thirds[3] = {0};
  for (int i = 0; i < 100000; i++) {
    int64_t value = ab_stream_below(&stream, bound);
    g_assert_true(value >= 0 && value < bound);
    halves[value >= bound / 2]++;
    thirds[value % 3]++;
  }
  assert_even(halves, 2, 100000);
  assert_even(thirds, 3, 100000);
}

static void test_permutation(void) {
  AbStream stream = ab_stream(3, "permutation");
  const int64_t counts[] = {0, 1, 2, 5, 1000};
  for (size_t k = 0; k < G_N_ELEMENTS(counts); k++) {
    int64_t items[1001] = {[1000] = -7}, seen[1000] = {0};
    ab_stream_permutation(&stream, items, counts[k]);
    for (int64_t i = 0; i < counts[k]; i++) seen[items[i]]++;
    for (int64_t i = 0; i < counts[k]; i++) g_assert_cmpint(seen[i], ==, 1);
    g_assert_cmpint(items[1000], ==, -7);
  }
  int64_t cells[256] = {0}, all[24], at = 0; /* all orders of four are as frequent */
  for (int i = 0; i < 48000; i++) {
    int64_t items[4];
    ab_stream_permutation(&stream, items, 4);
    cells[items[0] << 6 | items[1] << 4 | items[2] << 2 | items[3]]++;
  }
  for (int i = 0; i < 256; i++)
    if (cells[i] && at < 24) all[at++] = cells[i];
  g_assert_cmpint(at, ==, 24);
  assert_even(all, 24, 48000);
}

static void test_stream_names(void) {
  g_autoptr(GHashTable) keys = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
  for (uint64_t seed = 0; seed < 100; seed++) {
    for (int name = 0; name < 100; name++) {
      g_autofree char *text = g_strdup_printf("data/%d", name);
      gint64 *key = g_new(gint64, 1);
      *key = (gint64)ab_stream(seed, text).key;
      g_assert_true(g_hash_table_add(keys, key));
    }
  }
  const AbStream pairs[] = {ab_stream(1, "a"), ab_stream(1, "b"), ab_stream(2, "a"),
                            ab_stream(1, "")};
  g_autofree double *x = g_new(double, 4 * 10000);
  for (int k = 0; k < 4; k++) {
    AbStream stream = pairs[k];
    for (int i = 0; i < 10000; i++) x[k * 10000 + i] = ab_stream_uniform(&stream);
    for (int j = 0; j < k; j++)
      assert_uncorrelated(x + k * 10000, x + j * 10000, 10000, 0.5, 1.0 / 12);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/random/known-answers", test_known_answers);
  g_test_add_func("/random/blocks", test_blocks);
  sdk_add("/random/uniform", test_uniform);
  sdk_add("/random/normal", test_normal);
  sdk_add("/random/bernoulli", test_bernoulli);
  g_test_add_func("/random/devices", test_devices);
  sdk_add("/random/tails", test_tails);
  sdk_add("/random/pinned", test_pinned);
  sdk_add("/random/whose", test_whose);
  sdk_add("/random/resume", test_resume);
  sdk_add("/random/begun-again", test_begun_again);
  g_test_add_func("/random/stream-numbers", test_stream_numbers);
  g_test_add_func("/random/below", test_below);
  g_test_add_func("/random/permutation", test_permutation);
  g_test_add_func("/random/stream-names", test_stream_names);
  return g_test_run();
}
