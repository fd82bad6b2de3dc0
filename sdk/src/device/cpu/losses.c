/* SPDX-License-Identifier: Apache-2.0
 *
 * Losses of classes and of rows on the cpu device: threads share rows, and a row is a loop of 16
 * lanes. f64 goes to the reference device. */
#include "losses.h"
#include "vector-math.h"

#define LANES 16

typedef struct {
  int64_t cols;
  float *y, *y2, *norm;
  const float *a, *b, *g, *weights, *norms;
  const int64_t *labels;
  float smoothing;
  double epsilon;
  bool by_b;
} Job;

/* Threads share pieces of some rows; a second one pays from about 16,384 numbers. */
static void over_rows(int64_t rows, int64_t cols, CpuRange range, Job *job) {
  int64_t piece = 4096 / (cols ? cols : 1) + 1, pieces = (rows + piece - 1) / piece;
#pragma omp parallel for schedule(static) if (rows * cols >= 16384)
  for (int64_t i = 0; i < pieces; i++) {
    int64_t to = (i + 1) * piece;
    range(i * piece, to < rows ? to : rows, job);
  }
}

static inline float lanes_sum(const float *lane) {
  float sum = 0;
  for (int k = 0; k < LANES; k++) sum += lane[k];
  return sum;
}

/* ---- of classes ------------------------------------------------------------------------------ */

/* norm[0] = the largest, norm[1] = log sum exp(z - largest) */
CLONES static void norm_of(int64_t cols, const float *restrict z, float *restrict norm) {
  float top = z[0], lane[LANES] = {0}, sum = 0;
  for (int64_t c = 1; c < cols; c++) top = z[c] > top ? z[c] : top;
  int64_t c = 0;
  for (; c + LANES <= cols; c += LANES)
    for (int k = 0; k < LANES; k++) lane[k] += vector_exp(z[c + k] - top);
  for (; c < cols; c++) sum += vector_exp(z[c] - top);
  norm[0] = top;
  norm[1] = vector_log(sum + lanes_sum(lane));
}

/* sum_c weights_c */
static float total_weight(int64_t cols, const float *weights) {
  if (!weights) return (float)cols;
  double sum = 0;
  for (int64_t c = 0; c < cols; c++) sum += (double)weights[c];
  return (float)sum;
}

/* sum_c weights_c (log sum exp - z_c): what smoothing adds */
static double spread(int64_t cols, const float *z, const float *norm, const float *weights) {
  double sum = 0;
  for (int64_t c = 0; c < cols; c++) {
    float w = weights ? weights[c] : 1.f;
    if (w != 0.f) sum += (double)(w * (norm[1] - (z[c] - norm[0])));
  }
  return sum;
}

static void cross_entropy_rows(int64_t from, int64_t to, void *job) {
  const Job *j = job;
  for (int64_t i = from; i < to; i++) {
    const float *z = j->a + i * j->cols;
    float *norm = j->norm + 2 * i, weight = j->weights ? j->weights[j->labels[i]] : 1.f;
    norm_of(j->cols, z, norm);
    float loss = weight != 0.f ? weight * (norm[1] - (z[j->labels[i]] - norm[0])) : 0.f;
    if (j->smoothing != 0.f)
      loss =
          (float)((double)((1.f - j->smoothing) * loss) +
                  (double)(j->smoothing / (float)j->cols) * spread(j->cols, z, norm, j->weights));
    j->y[i] = loss;
  }
}

static void cross_entropy(AbDtype dtype, int64_t rows, int64_t cols, void *y, void *norm,
                          const void *z, const int64_t *labels, const void *weights,
                          double smoothing) {
  if (dtype != AB_F32) {
    reference_losses.cross_entropy(dtype, rows, cols, y, norm, z, labels, weights, smoothing);
    return;
  }
  Job job = {.cols = cols,
             .y = y,
             .norm = norm,
             .a = z,
             .labels = labels,
             .weights = weights,
             .smoothing = (float)smoothing};
  over_rows(rows, cols, cross_entropy_rows, &job);
}

/* dz := scale softmax(z) - even weights */
CLONES static void softmax_row(int64_t cols, float *restrict dz, const float *restrict z,
                               const float *norm, float scale, const float *restrict weights,
                               float even) {
  float top = norm[0], log_sum = norm[1];
  if (weights)
    for (int64_t c = 0; c < cols; c++)
      dz[c] = scale * vector_exp(z[c] - top - log_sum) - even * weights[c];
  else
    for (int64_t c = 0; c < cols; c++) dz[c] = scale * vector_exp(z[c] - top - log_sum) - even;
}

static void cross_entropy_grad_rows(int64_t from, int64_t to, void *job) {
  const Job *j = job;
  float even = j->smoothing / (float)j->cols;
  float all = j->smoothing != 0.f ? total_weight(j->cols, j->weights) : 0.f;
  for (int64_t i = from; i < to; i++) {
    int64_t label = j->labels[i];
    float g = j->g[i], own = (1.f - j->smoothing) * (j->weights ? j->weights[label] : 1.f);
    float total = j->smoothing != 0.f ? own + even * all : own;
    float *dz = j->y + i * j->cols;
    softmax_row(j->cols, dz, j->a + i * j->cols, j->norms + 2 * i, g * total,
                j->smoothing != 0.f ? j->weights : NULL, g * even);
    dz[label] -= g * own;
  }
}

static void cross_entropy_grad(AbDtype dtype, int64_t rows, int64_t cols, void *dz, const void *g,
                               const void *norm, const void *z, const int64_t *labels,
                               const void *weights, double smoothing) {
  if (dtype != AB_F32) {
    reference_losses.cross_entropy_grad(dtype, rows, cols, dz, g, norm, z, labels, weights,
                                        smoothing);
    return;
  }
  Job job = {.cols = cols,
             .y = dz,
             .g = g,
             .norms = norm,
             .a = z,
             .labels = labels,
             .weights = weights,
             .smoothing = (float)smoothing};
  over_rows(rows, cols, cross_entropy_grad_rows, &job);
}

static void soft_rows(int64_t from, int64_t to, void *job) {
  const Job *j = job;
  for (int64_t i = from; i < to; i++) {
    const float *z = j->a + i * j->cols;
    norm_of(j->cols, z, j->norm + 2 * i);
    j->y[i] = (float)spread(j->cols, z, j->norm + 2 * i, j->b + i * j->cols);
  }
}

static void soft_cross_entropy(AbDtype dtype, int64_t rows, int64_t cols, void *y, void *norm,
                               const void *z, const void *t) {
  if (dtype != AB_F32) {
    reference_losses.soft_cross_entropy(dtype, rows, cols, y, norm, z, t);
    return;
  }
  Job job = {.cols = cols, .y = y, .norm = norm, .a = z, .b = t};
  over_rows(rows, cols, soft_rows, &job);
}

static void soft_grad_rows(int64_t from, int64_t to, void *job) {
  const Job *j = job;
  for (int64_t i = from; i < to; i++) {
    const float *z = j->a + i * j->cols, *t = j->b + i * j->cols, *norm = j->norms + 2 * i;
    float g = j->g[i];
    if (j->y) softmax_row(j->cols, j->y + i * j->cols, z, norm, g * total_weight(j->cols, t), t, g);
    float *dt = j->y2 ? j->y2 + i * j->cols : NULL;
    for (int64_t c = 0; dt && c < j->cols; c++) dt[c] = -g * (z[c] - norm[0] - norm[1]);
  }
}

static void soft_cross_entropy_grad(AbDtype dtype, int64_t rows, int64_t cols, void *dz, void *dt,
                                    const void *g, const void *norm, const void *z, const void *t) {
  if (dtype != AB_F32) {
    reference_losses.soft_cross_entropy_grad(dtype, rows, cols, dz, dt, g, norm, z, t);
    return;
  }
  Job job = {.cols = cols, .y = dz, .y2 = dt, .g = g, .norms = norm, .a = z, .b = t};
  over_rows(rows, cols, soft_grad_rows, &job);
}

/* One number a row: not worth a thread. */
static void nll(AbDtype dtype, int64_t rows, int64_t cols, void *y, const void *log_p,
                const int64_t *labels) {
  reference_losses.nll(dtype, rows, cols, y, log_p, labels);
}

static void nll_grad(AbDtype dtype, int64_t rows, int64_t cols, void *d, const void *g,
                     const int64_t *labels) {
  if (dtype != AB_F32) {
    reference_losses.nll_grad(dtype, rows, cols, d, g, labels);
    return;
  }
  cpu_fill(dtype, rows * cols, d, 0);
  for (int64_t i = 0; i < rows; i++) ((float *)d)[i * cols + labels[i]] = -((const float *)g)[i];
}

/* ---- of rows --------------------------------------------------------------------------------- */

#define PIECE 4096

/* Sums of a piece of a row: out[0] of a b, out[1] of a a, out[2] of b b; of differences alone,
 * out[0] of (a - b)^2.                                                                           */
CLONES static void row_products(int64_t n, const float *restrict a, const float *restrict b,
                                double *out) {
  float ab[LANES] = {0}, aa[LANES] = {0}, bb[LANES] = {0};
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (int k = 0; k < LANES; k++) {
      ab[k] += a[i + k] * b[i + k];
      aa[k] += a[i + k] * a[i + k];
      bb[k] += b[i + k] * b[i + k];
    }
  for (; i < n; i++) {
    out[0] += (double)a[i] * (double)b[i];
    out[1] += (double)a[i] * (double)a[i];
    out[2] += (double)b[i] * (double)b[i];
  }
  for (int k = 0; k < LANES; k++) {
    out[0] += (double)ab[k];
    out[1] += (double)aa[k];
    out[2] += (double)bb[k];
  }
}

CLONES static double row_squares(int64_t n, const float *restrict a, const float *restrict b) {
  float lane[LANES] = {0};
  double sum = 0;
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (int k = 0; k < LANES; k++) {
      float d = a[i + k] - b[i + k];
      lane[k] += d * d;
    }
  for (; i < n; i++) sum += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
  for (int k = 0; k < LANES; k++) sum += (double)lane[k];
  return sum;
}

static void square_rows(int64_t from, int64_t to, void *job) {
  const Job *j = job;
  for (int64_t i = from; i < to; i++) {
    double sum = 0;
    for (int64_t c = 0; c < j->cols; c += PIECE)
      sum += row_squares(j->cols - c < PIECE ? j->cols - c : PIECE, j->a + i * j->cols + c,
                         j->b + i * j->cols + c);
    j->y[i] = (float)sqrt(sum / (double)j->cols);
  }
}

static void root_mean_square(AbDtype dtype, int64_t rows, int64_t cols, void *y, const void *a,
                             const void *b) {
  if (dtype != AB_F32) {
    reference_losses.root_mean_square(dtype, rows, cols, y, a, b);
    return;
  }
  Job job = {.cols = cols, .y = y, .a = a, .b = b};
  over_rows(rows, cols, square_rows, &job);
}

CLONES static void square_grad_rows(int64_t from, int64_t to, void *job) {
  const Job *j = job;
  for (int64_t i = from; i < to; i++) {
    float size = j->norms[i], slope = size == 0.f ? 0.f : j->g[i] / ((float)j->cols * size);
    const float *restrict a = j->a + i * j->cols, *restrict b = j->b + i * j->cols;
    float *restrict d = j->y + i * j->cols;
    for (int64_t c = 0; c < j->cols; c++) d[c] = slope * (a[c] - b[c]);
  }
}

static void root_mean_square_grad(AbDtype dtype, int64_t rows, int64_t cols, void *d, const void *g,
                                  const void *y, const void *a, const void *b) {
  if (dtype != AB_F32) {
    reference_losses.root_mean_square_grad(dtype, rows, cols, d, g, y, a, b);
    return;
  }
  Job job = {.cols = cols, .y = d, .g = g, .norms = y, .a = a, .b = b};
  over_rows(rows, cols, square_grad_rows, &job);
}

/* 1 / max(sqrt(squares), epsilon); NaN stays */
static double inverse(double squares, double epsilon) {
  double size = sqrt(squares);
  return size > epsilon ? 1 / size : size == size ? 1 / epsilon : size;
}

static void cosine_rows(int64_t from, int64_t to, void *job) {
  const Job *j = job;
  for (int64_t i = from; i < to; i++) {
    double sum[3] = {0};
    for (int64_t c = 0; c < j->cols; c += PIECE)
      row_products(j->cols - c < PIECE ? j->cols - c : PIECE, j->a + i * j->cols + c,
                   j->b + i * j->cols + c, sum);
    double a = inverse(sum[1], j->epsilon), b = inverse(sum[2], j->epsilon);
    j->norm[2 * i] = (float)a;
    j->norm[2 * i + 1] = (float)b;
    j->y[i] = (float)(sum[0] * a * b);
  }
}

static void cosine(AbDtype dtype, int64_t rows, int64_t cols, double epsilon, void *y, void *norms,
                   const void *a, const void *b) {
  if (dtype != AB_F32) {
    reference_losses.cosine(dtype, rows, cols, epsilon, y, norms, a, b);
    return;
  }
  Job job = {.cols = cols, .y = y, .norm = norms, .a = a, .b = b, .epsilon = epsilon};
  over_rows(rows, cols, cosine_rows, &job);
}

CLONES static void cosine_grad_rows(int64_t from, int64_t to, void *job) {
  const Job *j = job;
  for (int64_t i = from; i < to; i++) {
    const float *norm = j->norms + 2 * i;
    float own = norm[j->by_b], g = j->g[i], toward = g * norm[0] * norm[1];
    float shrink = own < (float)(1 / j->epsilon) ? g * j->weights[i] * own * own : 0.f;
    const float *restrict x = (j->by_b ? j->b : j->a) + i * j->cols;
    const float *restrict other = (j->by_b ? j->a : j->b) + i * j->cols;
    float *restrict d = j->y + i * j->cols;
    for (int64_t c = 0; c < j->cols; c++) d[c] = toward * other[c] - shrink * x[c];
  }
}

static void cosine_grad(AbDtype dtype, int64_t rows, int64_t cols, double epsilon, bool by_b,
                        void *d, const void *g, const void *y, const void *norms, const void *a,
                        const void *b) {
  if (dtype != AB_F32) {
    reference_losses.cosine_grad(dtype, rows, cols, epsilon, by_b, d, g, y, norms, a, b);
    return;
  }
  Job job = {.cols = cols,
             .y = d,
             .g = g,
             .weights = y, /* the similarities */
             .norms = norms,
             .a = a,
             .b = b,
             .epsilon = epsilon,
             .by_b = by_b};
  over_rows(rows, cols, cosine_grad_rows, &job);
}

const AbLossKernels cpu_losses = {
    .pair = cpu_pair,
    .pair_sum = cpu_pair_sum,
    .pair_grad = cpu_pair_grad,
    .cross_entropy = cross_entropy,
    .cross_entropy_grad = cross_entropy_grad,
    .soft_cross_entropy = soft_cross_entropy,
    .soft_cross_entropy_grad = soft_cross_entropy_grad,
    .nll = nll,
    .nll_grad = nll_grad,
    .root_mean_square = root_mean_square,
    .root_mean_square_grad = root_mean_square_grad,
    .cosine = cosine,
    .cosine_grad = cosine_grad,
};
