/* SPDX-License-Identifier: Apache-2.0
 *
 * Log-likelihood by a Gaussian Parzen window (Breuleux, Bengio, Vincent 2011): the density of the
 * generated samples s_1 ... s_n, each blurred with the width sigma, at the real ones t, in nats.
 *
 *   log p(t) = log sum_j exp(-|t - s_j|^2 / (2 sigma^2)) - log n - d/2 log(2 pi sigma^2)
 *
 * The metric is its mean over t. Without a sigma, the first `held` of the real samples choose it
 * and are then left out of the mean: the best of 20 values in equal ratios. The likelihood of the
 * held samples is greatest where sigma^2 d is a mean of |t - s_j|^2 with weights that favour the
 * nearest; so the values run from where it is the mean of the least to where it is that of all
 * distances.
 *
 * Both sets are kept, in blocks; |t - s|^2 = |t|^2 - 2 t.s + |s|^2 is a product of two blocks.
 * Means are taken out first, as they would cancel. (As Goodfellow et al. 2014 report MNIST: 10,000
 * generated samples against the test split. How far this says what one wants to know: Theis, van
 * den Oord, Bethge 2016.) */
#include <absdk/absdk.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 1000 /* samples */
#define GRID  20   /* values of sigma */

/* Samples as they came, [count, width], in the real type of the run. Blocks stay for the next pass.
 */
typedef struct {
  int64_t count, blocks, room; /* blocks: that have memory; room: for pointers to them */
  char **items;
} Samples;

typedef struct {
  AbMetric base;
  double sigma;
  int64_t held;
  int64_t width; /* numbers of one sample; 0 before the first */
  Samples made, real;
} Parzen;

static const AbParam params[] = {
    AB_PARAM_REAL(Parzen, sigma, 0, 0, 1e6, "", "Width of the window; 0: chosen on held samples."),
    AB_PARAM_INT(Parzen, held, 0, 0, 1 << 30, "samples",
                 "How many choose sigma; 0: a tenth of all, but at most 1000."),
};

static void check(AbMetric *self, const AbSpec *output, const AbSpec *target) {
  (void)output;
  if (target->range == AB_RANGE_CLASS)
    ab_fail(self, AB_CONFIG, "the samples are classes; a Parzen window needs numbers");
}

static void reset(AbMetric *self) {
  Parzen *p = (Parzen *)self;
  p->made.count = p->real.count = 0;
}

/* ---- keeping --------------------------------------------------------------------------------- */

static size_t size_of(const Parzen *p) {
  return ab_dtype_size(ab_real_dtype(ab_context(&p->base)));
}

/* Room for one block more. */
static bool grow(Parzen *p, Samples *s) {
  if (s->blocks == s->room) {
    int64_t room = s->room ? 2 * s->room : 16;
    char **items = ab_alloc(&p->base, (size_t)room * sizeof *items);
    if (!items) return false;
    if (s->blocks) memcpy(items, s->items, (size_t)s->blocks * sizeof *items);
    s->items = items;
    s->room = room;
  }
  s->items[s->blocks] = ab_alloc(&p->base, (size_t)(BLOCK * p->width) * size_of(p));
  return s->items[s->blocks] && ++s->blocks;
}

static void keep(Parzen *p, Samples *s, AbTensor *x) {
  const char *from = ab_map(x, false);
  size_t row = (size_t)p->width * size_of(p);
  for (int64_t left = from ? ab_dim(x, 0) : 0; left > 0;) {
    int64_t block = s->count / BLOCK, at = s->count % BLOCK;
    int64_t rows = left < BLOCK - at ? left : BLOCK - at;
    if (block == s->blocks && !grow(p, s)) break;
    memcpy(s->items[block] + (size_t)at * row, from, (size_t)rows * row);
    from += (size_t)rows * row;
    s->count += rows;
    left -= rows;
  }
  if (from) ab_unmap(x);
}

static void update(AbMetric *self, AbTensor *output, AbTensor *target) {
  Parzen *p = (Parzen *)self;
  AbDtype real = ab_real_dtype(ab_context(self));
  AbTensor *made = ab_flatten(ab_cast(output, real)), *t = ab_flatten(ab_cast(target, real));
  if (!made || !t) return;
  if (p->width == 0) p->width = ab_dim(t, 1);
  if (ab_dim(made, 1) != p->width || ab_dim(t, 1) != p->width) {
    ab_fail(
        self, AB_CONFIG,
        "samples of %lld numbers cannot be compared with samples of %lld; the first were of %lld",
        (long long)ab_dim(made, 1), (long long)ab_dim(t, 1), (long long)p->width);
    return;
  }
  keep(p, &p->made, made);
  keep(p, &p->real, t);
}

/* ---- distances ------------------------------------------------------------------------------- */

/* Samples from .. to - 1, which lie in one block. */
static AbTensor *rows(const Parzen *p, const Samples *s, int64_t from, int64_t to) {
  AbContext *ctx = ab_context(&p->base);
  const char *block = s->items[from / BLOCK];
  size_t skipped = (size_t)(from % BLOCK * p->width) * size_of(p);
  return ab_from(ctx, ab_real_dtype(ctx), AB_SHAPE(to - from, p->width), block + skipped);
}

/* Where the block that holds sample `from` ends, or `to`. */
static int64_t block_end(int64_t from, int64_t to) {
  int64_t end = (from / BLOCK + 1) * BLOCK;
  return end < to ? end : to;
}

/* The mean of all real samples [width], NULL after an error. */
static AbTensor *real_mean(const Parzen *p) {
  int64_t count = p->real.count;
  AbTensor *sum = ab_zeros(ab_context(&p->base), AB_SHAPE(p->width));
  for (int64_t at = 0; at < count; at = block_end(at, count))
    sum = ab_add(sum, ab_sum_axes(rows(p, &p->real, at, block_end(at, count)), 1, false));
  return ab_affine(sum, 1 / (double)count, 0);
}

static void subtract(const Parzen *p, const Samples *s, AbTensor *mean) {
  for (int64_t at = 0; at < s->count; at = block_end(at, s->count)) {
    AbScope scope = ab_scope_begin(ab_context(&p->base));
    int64_t end = block_end(at, s->count);
    AbTensor *x = ab_sub(rows(p, s, at, end), mean);
    const void *from = ab_map(x, false);
    if (from) {
      memcpy(s->items[at / BLOCK], from, (size_t)((end - at) * p->width) * size_of(p));
      ab_unmap(x);
    }
    ab_scope_end(ab_context(&p->base), scope, NULL, 0);
  }
}

static AbTensor *squares(AbTensor *x, bool keep) {
  return ab_sum_axes(ab_square(x), 2, keep);
}

/* |t_i - s_j|^2 of two matrices of samples. */
static AbTensor *distances(AbTensor *t, AbTensor *s) {
  AbTensor *product = ab_matmul(t, ab_transpose(s, 0, 1));
  AbTensor *d = ab_add(ab_add(ab_affine(product, -2, 0), squares(t, true)), squares(s, false));
  return ab_clamp(d, 0, INFINITY); /* below 0 by rounding */
}

/* Calls `visit` with the distances of real samples, the first of which is `row` of from .. to - 1,
 * to some generated ones, until all have met.                                                   */
static void each_distance(const Parzen *p, int64_t from, int64_t to,
                          void (*visit)(void *data, int64_t row, AbTensor *d), void *data) {
  AbContext *ctx = ab_context(&p->base);
  int64_t count = p->made.count;
  for (int64_t i = from; i < to; i = block_end(i, to))
    for (int64_t j = 0; j < count && ab_ok(ctx); j = block_end(j, count)) {
      AbScope scope = ab_scope_begin(ctx);
      AbTensor *t = rows(p, &p->real, i, block_end(i, to));
      visit(data, i - from, distances(t, rows(p, &p->made, j, block_end(j, count))));
      ab_scope_end(ctx, scope, NULL, 0);
    }
}

/* Calls `act` for each number of x [n], numbered from `row`. */
static void each_number(AbTensor *x, int64_t row, void (*act)(double *sum, double x),
                        double *sums) {
  AbTensor *wide = ab_cast(x, AB_F64);
  const double *values = ab_map(wide, false);
  if (!values) return;
  for (int64_t i = 0; i < ab_count(wide); i++) act(&sums[row + i], values[i]);
  ab_unmap(wide);
}

/* ---- likelihood ------------------------------------------------------------------------------ */

typedef struct {
  int64_t rows, grid;
  const double *sigma; /* [grid] */
  double *log_sums;    /* [grid, rows] */
} Likelihood;

/* log(exp a + exp b) */
static void add_exponents(double *a, double b) {
  double high = fmax(*a, b), low = fmin(*a, b);
  *a = isinf(high) ? high : high + log1p(exp(low - high));
}

static void add_windows(void *data, int64_t row, AbTensor *d) {
  const Likelihood *l = data;
  for (int64_t k = 0; k < l->grid; k++) {
    AbTensor *exponents = ab_affine(d, -0.5 / (l->sigma[k] * l->sigma[k]), 0);
    each_number(ab_logsumexp(exponents, 1, false), row, add_exponents, l->log_sums + k * l->rows);
    ab_drop(exponents);
  }
}

static double *numbers(const Parzen *p, int64_t count, double value) {
  double *x = malloc((size_t)count * sizeof *x);
  if (!x) ab_error(ab_context(&p->base), AB_INTERNAL, "out of memory");
  for (int64_t i = 0; x && i < count; i++) x[i] = value;
  return x;
}

/* means[k] := the mean log-density of real samples from .. to - 1 by windows of width sigma[k] */
static void likelihoods(const Parzen *p, int64_t from, int64_t to, int64_t grid,
                        const double *sigma, double *means) {
  Likelihood l = {to - from, grid, sigma, numbers(p, grid * (to - from), -INFINITY)};
  if (!l.log_sums) return;
  each_distance(p, from, to, add_windows, &l);
  for (int64_t k = 0; k < grid; k++) {
    double sum = 0;
    for (int64_t i = 0; i < l.rows; i++) sum += l.log_sums[k * l.rows + i];
    means[k] = sum / (double)l.rows - log((double)p->made.count) -
               0.5 * (double)p->width * log(2 * acos(-1) * sigma[k] * sigma[k]);
  }
  free(l.log_sums);
}

/* ---- the width of the window ----------------------------------------------------------------- */

typedef struct {
  double *least, *sum; /* of the distances of each held sample */
} Reach;

static void less(double *a, double b) {
  *a = fmin(*a, b);
}

static void add(double *a, double b) {
  *a += b;
}

static void measure(void *data, int64_t row, AbTensor *d) {
  const Reach *r = data;
  each_number(ab_min_axes(d, 2, false), row, less, r->least);
  each_number(ab_sum_axes(d, 2, false), row, add, r->sum);
}

/* The least and the greatest sigma that can be best for the first `held` samples. */
static void bounds(const Parzen *p, int64_t held, double *low, double *high) {
  Reach r = {numbers(p, held, INFINITY), numbers(p, held, 0)};
  double least = 0, sum = 0;
  if (r.least && r.sum) each_distance(p, 0, held, measure, &r);
  for (int64_t i = 0; r.least && r.sum && i < held; i++) least += r.least[i], sum += r.sum[i];
  free(r.least);
  free(r.sum);
  double numbers_held = (double)held * (double)p->width;
  *high = sqrt(sum / (double)p->made.count / numbers_held);
  *low = fmax(sqrt(least / numbers_held), 1e-3 * *high); /* 0 where samples meet exactly */
}

static double choose_sigma(Parzen *p, int64_t held) {
  double low, high, sigma[GRID], means[GRID] = {0};
  bounds(p, held, &low, &high);
  if (ab_ok(ab_context(&p->base)) && !(high > 0 && isfinite(high)))
    ab_fail(&p->base, AB_DATA, "the samples leave no width to choose from; set sigma");
  if (!ab_ok(ab_context(&p->base))) return NAN;
  for (int k = 0; k < GRID; k++) sigma[k] = low * pow(high / low, k / (double)(GRID - 1));
  likelihoods(p, 0, held, GRID, sigma, means);
  int best = 0;
  for (int k = 1; k < GRID; k++)
    if (means[k] > means[best]) best = k;
  return sigma[best];
}

/* How many of the real samples are held; 0 where sigma is given. */
static int64_t held_samples(Parzen *p) {
  int64_t count = p->real.count, tenth = count < 10000 ? (count + 9) / 10 : 1000;
  if (p->sigma > 0) return 0;
  int64_t held = p->held > 0 ? p->held : tenth;
  if (held < count) return held;
  ab_fail(&p->base, AB_CONFIG,
          "of %lld samples %lld are to be held to choose sigma, which leaves none; set held to "
          "less, or sigma",
          (long long)count, (long long)held);
  return count;
}

static double value(AbMetric *self) {
  Parzen *p = (Parzen *)self;
  AbContext *ctx = ab_context(self);
  if (p->real.count == 0 || p->made.count == 0 || !ab_ok(ctx)) return NAN;
  bool recording = ab_set_recording(ctx, false);
  AbScope scope = ab_scope_begin(ctx);
  int64_t held = held_samples(p);
  double mean = NAN, sigma = p->sigma;
  AbTensor *centre = held < p->real.count ? real_mean(p) : NULL;
  if (centre) {
    subtract(p, &p->made, centre);
    subtract(p, &p->real, centre);
    if (held > 0) sigma = choose_sigma(p, held);
  }
  if (ab_ok(ctx)) likelihoods(p, held, p->real.count, 1, &sigma, &mean);
  ab_scope_end(ctx, scope, NULL, 0);
  ab_set_recording(ctx, recording);
  return ab_ok(ctx) ? mean : NAN;
}

static const AbMetricVtable vtable = {
    .struct_size = sizeof vtable,
    .flags = AB_HIGHER_IS_BETTER,
    .check = check,
    .reset = reset,
    .update = update,
    .value = value,
};

static const AbComponent parzen = {
    .struct_size = sizeof parzen,
    .kind = AB_KIND_METRIC,
    .name = "parzen",
    .doc = "Log-likelihood of the data by a Gaussian window of generated samples, in nats.",
    .citation = "Breuleux, Bengio, Vincent: Quickly generating representative samples from an "
                "RBM-derived process. Neural Computation 23, 2011.",
    .instance_size = sizeof(Parzen),
    AB_PARAMS(params),
    .default_for = AB_ROLE_BIT(AB_ROLE_GENERATE),
    .vtable = &vtable,
};

AB_PLUGIN("abhost.metric.parzen", "0.1.0", "Apache-2.0", &parzen)
